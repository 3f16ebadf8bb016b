/** `serin backtest`: lets the judge look at the releases of the past and says what it would have done. It only reads. */
import { readFile, writeFile } from 'node:fs/promises';
import { effectiveSpec, type EffectiveSpec } from '../../api/effective.ts';
import { metricSourceKind, rolloutKind } from '../../api/kinds.ts';
import { metricSourceDefaults } from '../../api/metric-source.ts';
import { parseDurationMs } from '../../api/duration.ts';
import { EXIT } from '../../api/reasons.ts';
import { rolloutSpecSchema } from '../../api/rollout.ts';
import type { JudgeSettings } from '../../analysis/settings.ts';
import { judgeSettingsOf } from '../../controller/judged-as.ts';
import { metricSourceOf } from '../../controller/metric-sources.ts';
import { isKubeError } from '../../kube/errors.ts';
// oxlint-disable-next-line no-restricted-imports -- the one wrapper that keeps a credential out of every output
import { Secret } from '../../signals/secret.ts';
// oxlint-disable-next-line no-restricted-imports -- what the operator's own reader is asked with
import type { SourceOf } from '../../signals/subject.ts';
import { deploymentNamed } from '../deployment-name.ts';
import { CliError } from '../failure.ts';
import { type DataFormat, formatted } from '../output.ts';
import { type GlobalOptions, type Session, type Surroundings, withSession } from '../session.ts';
import { backtestLines } from './backtest-text.ts';
import { type PastParts, pastReleases, pastWindows } from './past.ts';
import { type RecordedRelease, type Recording, recordingIn, recordingText } from './recording.ts';
import { summaryOf, verdictsOf } from './verdicts.ts';

export interface BacktestOptions extends GlobalOptions {
  readonly days: number;
  /** How long a release is looked at, from its first pod. */
  readonly look: number;
  readonly confidence?: number | undefined;
  /** Name of a MetricSource, instead of the Rollout's. */
  readonly source?: string | undefined;
  /** Address of a Prometheus API, instead of a MetricSource. */
  readonly prometheus?: string | undefined;
  readonly dataPlane?: SourceOf['dataPlane'] | undefined;
  /** A file with a bearer token for it. */
  readonly tokenFile?: string | undefined;
  readonly save?: string | undefined;
  readonly file?: string | undefined;
  readonly output?: DataFormat | undefined;
}

const DAY_MS = 86_400_000;

export async function backtest(
  name: string | undefined,
  options: BacktestOptions,
  around: Surroundings,
): Promise<number> {
  const recording = await recordingFor(name, options, around);
  const { confidence = recording.analysis.confidencePercent } = options;
  const verdicts = verdictsOf(recording, { ...settingsOf(recording), confidencePercent: confidence });
  const summary = summaryOf(verdicts);
  if (options.save !== undefined) await writeFile(options.save, recordingText(recording));
  const { namespace, deployment, fromMs, untilMs } = recording;
  around.terminal.print(
    options.output === undefined
      ? backtestLines(recording, verdicts, summary, around.terminal).join('\n')
      : formatted(
          {
            namespace,
            deployment,
            from: new Date(fromMs).toISOString(),
            until: new Date(untilMs).toISOString(),
            confidence,
            summary,
            releases: verdicts,
          },
          options.output,
        ),
  );
  return EXIT.done;
}

async function recordingFor(
  name: string | undefined,
  options: BacktestOptions,
  around: Surroundings,
): Promise<Recording> {
  if ((name === undefined) === (options.file === undefined))
    throw new CliError('give a Rollout, a deployment/NAME, or a file with --file, one of them', EXIT.usage);
  if (options.file !== undefined) return recordingIn(await around.readText(options.file), options.file);
  return withSession(around, options, (session) => asked(name ?? '', options, session, around));
}

async function asked(
  name: string,
  options: BacktestOptions,
  session: Session,
  { terminal, clock }: Surroundings,
): Promise<Recording> {
  const subject = await subjectOf(name, session);
  const { analysis } = subject.spec;
  const settings = settingsOf({ analysis, lookMs: options.look });
  const source = await sourceFor(subject, options, session);
  const { client, namespace } = session;
  const parts: PastParts = { client, clock, source, namespace, deployment: subject.deployment, settings };
  const untilMs = clock.nowMs();
  const fromMs = untilMs - options.days * DAY_MS;
  const told = (text: string) => (terminal.isInteractive ? terminal.draw(`\r${text}\u001B[K`) : undefined);
  const found = await pastReleases(parts, { fromMs, untilMs }, (doneMs) =>
    told(`looking for releases: ${Math.ceil(doneMs / DAY_MS)} of ${options.days} days`),
  );
  const releases: RecordedRelease[] = [];
  for (const release of found) {
    told(`counting: ${releases.length + 1} of ${found.length} releases`);
    const counted = await pastWindows(parts, release, { lookMs: options.look, nowMs: untilMs });
    releases.push(counted === undefined ? release : { ...release, counted });
  }
  told('');
  return { namespace, deployment: subject.deployment, fromMs, untilMs, lookMs: options.look, analysis, releases };
}

/** The time after the last pod of the old revision is a bake like any other. */
function settingsOf({ analysis, lookMs }: Pick<Recording, 'analysis' | 'lookMs'>): JudgeSettings {
  return judgeSettingsOf({ analysis, strategy: { bakeMs: lookMs } });
}

interface Subject {
  readonly deployment: string;
  readonly spec: EffectiveSpec;
}

/** A Rollout says how it is judged; a Deployment without one is judged by the defaults. */
async function subjectOf(name: string, { client, namespace }: Session): Promise<Subject> {
  if (name.includes('/')) return byDefaults(deploymentNamed(name));
  try {
    const { spec } = await client.get(rolloutKind, { namespace, name });
    const parsed = rolloutSpecSchema.safeParse(spec);
    if (!parsed.success) throw new CliError(`Rollout ${namespace}/${name} is not valid: see serin plan ${name}`);
    return { deployment: parsed.data.targetRef.name, spec: effectiveSpec(parsed.data) };
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return byDefaults(name);
    throw error;
  }
}

function byDefaults(name: string): Subject {
  const spec = effectiveSpec({ targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name } });
  return { deployment: name, spec };
}

async function sourceFor({ spec }: Subject, options: BacktestOptions, { client }: Session): Promise<SourceOf> {
  const access = await accessOf(options);
  if (options.prometheus !== undefined) {
    if (!URL.canParse(options.prometheus))
      throw new CliError(`--prometheus: ${options.prometheus} is no address`, EXIT.usage);
    const dataPlane = options.dataPlane ?? metricSourceDefaults.dataPlane;
    return { name: '--prometheus', address: options.prometheus, timeoutMs: PATIENT_MS, dataPlane, ...access };
  }
  const { items } = await client.list(metricSourceKind, {});
  const reading = metricSourceOf(items, options.source ?? spec.analysis.source);
  switch (reading.kind) {
    case 'none':
      throw new CliError('no MetricSource is marked default: name one with --source, or an address with --prometheus');
    case 'missing':
      throw new CliError(reading.sentence.replace(/\.$/, ''));
    case 'found': {
      const { secretRefs, caBundle } = reading.demands;
      if (caBundle !== undefined || (secretRefs.length > 0 && access.access === undefined))
        throw new CliError(
          `MetricSource ${reading.source.name} is read with a credential or an authority of its own, which the operator has and this command does not: give --prometheus and --token-file`,
        );
      return { ...reading.source, ...access, timeoutMs: Math.max(PATIENT_MS, reading.source.timeoutMs) };
    }
    default:
      return reading satisfies never;
  }
}

/** A day of history takes a server longer than the last minute. */
const PATIENT_MS = parseDurationMs('30s');

async function accessOf({ tokenFile }: BacktestOptions): Promise<Pick<SourceOf, 'access'>> {
  if (tokenFile === undefined) return {};
  const token = (await readFile(tokenFile, 'utf8')).trim();
  if (token === '') throw new CliError(`${tokenFile} is empty: a bearer token is expected there`);
  return { access: { authorization: new Secret(`Bearer ${token}`) } };
}

/** Every story, in the order of the report. */
import { programme } from '../harness/ground.ts';
import type { Story } from '../harness/story.ts';
import { attach } from './attach.ts';
import { bad5, bad50 } from './bad.ts';
import { commonMode } from './common-mode.ts';
import { costStories } from './cost.ts';
import { deleteBackground, deleteForeground } from './delete.ts';
import { flagStories } from './flags.ts';
import { forcedApply } from './forced-apply.ts';
import { good } from './good.ts';
import { harmStories } from './harms.ts';
import { killBad, killGood } from './kill.ts';
import { native } from './native.ts';
import { newer, resize } from './perturb.ts';
import { prometheusDown } from './prometheus-down.ts';
import { rest } from './rest.ts';
import { share } from './share.ts';

const releases: readonly Story[] = [
  attach,
  good,
  bad50,
  bad5,
  commonMode,
  killGood,
  killBad,
  resize,
  newer,
  forcedApply,
  prometheusDown,
  share,
  deleteBackground,
  deleteForeground,
  rest,
  native,
];

/** Twenty in all, side by side in four shops, in the hour in which the harmful versions are found. */
const incidents: readonly Story[] = [1, 2, 3, 4].map((part) => ({
  ...commonMode,
  name: `incident-${part}`,
  title: `${commonMode.title}, part ${part} of 4`,
}));

const sets = {
  releases,
  harms: [...harmStories, ...incidents, prometheusDown],
  flags: [...flagStories, ...costStories],
} as const;

export const stories: readonly Story[] = sets[programme];

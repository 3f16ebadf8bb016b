/** Decides what the demo tells its user to do next, in commands that run where the demo ran. */
import { isSea } from 'node:sea';

/** A title and the commands below it. With `isOnCluster` Serin is there already. */
export function closingLines(programName: string, isOnCluster: boolean): readonly string[] {
  const serin = callOf(programName);
  const install =
    "  sed 's|image: serin:0.1.0|image: YOUR-REGISTRY/serin:0.1.0|' deploy/install.yaml | kubectl apply --server-side -f -";
  return [
    isOnCluster
      ? 'For a Deployment of your own (checkout in namespace shop is an example):'
      : 'For real, on your own cluster (docs/install.md builds the image; checkout in namespace shop is an example):',
    ...(isOnCluster ? [] : [install]),
    `  ${serin} init checkout -n shop | kubectl apply -f -`,
    `  ${serin} watch checkout -n shop`,
  ];
}

/** How this program is called from here: nothing is on the PATH because somebody typed "npm run demo". */
export function callOf(programName: string, file = process.argv[1], isBinary = isSea()): string {
  if (!isBinary && file?.endsWith('main.ts') === true) return 'npm run -s serin --';
  return programName;
}

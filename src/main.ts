/** Starts the serin program on a Node.js that can run it; it must parse on every older one, so it imports nothing by itself. */
const major = Number(process.versions.node.split('.')[0]);

if (major < 24) {
  console.error(
    `serin needs Node.js 24 or newer, and this is ${process.version}: install a newer one and run the command again.`,
  );
  process.exitCode = 1;
} else {
  const { main } = await import('./cli/program.ts');
  process.exitCode = await main(process.argv);
}

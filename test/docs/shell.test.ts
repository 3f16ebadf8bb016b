import { simpleCommands } from './shell.ts';

test('lists, pipes and lines are commands of their own', () => {
  expect(simpleCommands('npm ci && npm test\nserin get -A | head -1; true')).toEqual([
    ['npm', 'ci'],
    ['npm', 'test'],
    ['serin', 'get', '-A'],
    ['head', '-1'],
    ['true'],
  ]);
});

test('quotes hold words together, also over lines', () => {
  expect(simpleCommands(`kubectl patch x -p '[\n  {"op": "remove"}]' --reason "two words"`)).toEqual([
    ['kubectl', 'patch', 'x', '-p', '[\n  {"op": "remove"}]', '--reason', 'two words'],
  ]);
});

test('a line that goes on is one command; comments, settings and files it is sent to are none', () => {
  expect(simpleCommands('A=b serin get \\\n  -A > all.txt   # all of them\nnamespace=shop')).toEqual([
    ['serin', 'get', '-A'],
  ]);
});

test('what a substitution runs is looked at too', () => {
  expect(simpleCommands('kubectl x --token="$(kubectl create token serin)"')).toEqual([
    ['kubectl', 'x', '--token=$()'],
    ['kubectl', 'create', 'token', 'serin'],
  ]);
});

test('loops and questions fall into their commands', () => {
  expect(simpleCommands('for one in $(kubectl get pods -o name); do\n  kubectl delete $one\ndone')).toEqual([
    ['kubectl', 'delete', '$one'],
    ['kubectl', 'get', 'pods', '-o', 'name'],
  ]);
  expect(simpleCommands('if grep -q x file; then sleep 5; fi')).toEqual([
    ['grep', '-q', 'x', 'file'],
    ['sleep', '5'],
  ]);
});

// @ts-check

const source = 'packages/worker-runtime/src'

/** @type {import('../mutant.mjs').Mutant[]} */
export const runtime = [
  {
    name: 'secret-file',
    guards: 'a secret may come from a file',
    file: `${source}/read-env.ts`,
    find: 'const path = textOf(source, fileName)',
    replace: 'const path = textOf({}, fileName)',
    tests: { file: `${source}/read-env.test.ts`, name: 'a secret in a file' },
  },
  {
    name: 'development-password',
    guards: 'the development password is refused in production',
    file: `${source}/read-env.ts`,
    find: 'if (production && variable.secret)',
    replace: 'if (production && !variable.secret)',
    tests: { file: `${source}/read-env.test.ts`, name: 'in production' },
  },
  {
    name: 'secret-not-shown',
    guards: 'a faulty secret is not printed',
    file: `${source}/read-env.ts`,
    find: "if (secret) return 'a value that is not shown'",
    replace: '',
    tests: { file: `${source}/read-env.test.ts`, name: 'secret' },
  },
  {
    name: 'second-signal',
    guards: 'the second signal ends the process at once',
    file: `${source}/shutdown.ts`,
    find: '    host.exit(1)\n',
    replace: '',
    tests: { file: `${source}/shutdown.test.ts`, name: 'ends the process at once with 1' },
  },
  {
    name: 'one-ctrl-c',
    guards: 'one Ctrl-C is one signal, however often it is passed on',
    file: `${source}/shutdown.ts`,
    find: 'if (Date.now() - firstInterruptAt < sameInterruptMs) return',
    replace: '',
    tests: { file: `${source}/shutdown.test.ts`, name: 'one Ctrl-C' },
  },
  {
    name: 'grace-period',
    guards: 'the grace period ends',
    file: `${source}/stop-worker.ts`,
    find: 'broughtUp]), shutdown.remainingMs()),',
    replace: 'broughtUp]), 2 ** 30),',
    tests: { file: `${source}/stop-worker.test.ts`, name: 'by the end of the grace period' },
  },
  {
    name: 'stop-step-limit',
    guards: 'no step of a stop holds up the end',
    file: `${source}/stop-worker.ts`,
    find: 'await settleWithin(step, { ms: stepLimitMs, createError })',
    replace: 'await settleWithin(step, { ms: stepLimitMs * 1e4, createError })',
    tests: { file: `${source}/stop-worker.test.ts`, name: 'does not wait for ever' },
  },
  {
    name: 'uncaught-error-code',
    guards: 'an uncaught error makes the exit code 1',
    file: `${source}/shutdown.ts`,
    find: '      exitCode = 1\n',
    replace: '',
    tests: { file: `${source}/shutdown.test.ts`, name: 'an uncaught error' },
  },
  {
    name: 'lingering-process',
    guards: 'a stopped process that something keeps alive is ended',
    file: `${source}/shutdown.ts`,
    find: '    host.exit(code)\n',
    replace: '',
    tests: { file: `${source}/shutdown.test.ts`, name: 'ends a process that something keeps alive' },
  },
]

import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import { test } from '../test.js'
import type { WorkerUnderTest } from './worker-under-test.js'

const wrong = {
  RABBITMQ_URL: 'http://user:hunter2@broker:5672/mono',
  DATABASE_URL: 'hunter2 is the password',
  TOPOLOGY: 'maybe',
  LOG_LEVEL: 'loud',
  HTTP_PORT: '70000',
  PREFETCH: '1e3',
  SHUTDOWN_GRACE_MS: '-1',
}

const inDevelopment = {
  RABBITMQ_URL: 'amqp://mono:hunter2@broker/mono,amqp://admin:admin123@broker/mono',
  DATABASE_URL: 'postgres://mono:admin123@database/mono',
}

/** Names of the variables at fault, in alphabetical order. */
const namesIn = (stderr: string) => [...stderr.matchAll(/^ {2}(\w+): expected .+; found .+$/gm)].map(([, name]) => name)

export function describeEnvironment({ name, requires = [] }: WorkerUnderTest): void {
  describe(`the environment of ${name}`, () => {
    test.for([
      ['is wrong throughout', wrong, Object.keys(wrong)],
      ['is empty', {}, ['RABBITMQ_URL', 'DATABASE_URL']],
      [
        'has the development password in production',
        { ...inDevelopment, NODE_ENV: 'production' },
        Object.keys(inDevelopment),
      ],
    ] as [string, Record<string, string>, string[]][])(
      'that %s ends it with 1 and a list of all faults',
      async ([what, env, expected], { workers }) => {
        const since = performance.now()
        const worker = workers.spawn(name, env)
        expect(await worker.exited).toEqual({ code: 1, signal: null })
        const names = namesIn(worker.stderr)
        printNumbers(`${name} environment`, { what, faults: names, exitMs: Math.round(performance.now() - since) })
        expect(names.toSorted()).toEqual([...expected, ...requires].toSorted())
        expect(worker.stderr).not.toContain('hunter2')
        expect([worker.logs, worker.strayOutput]).toEqual([[], []])
      },
    )
  })
}

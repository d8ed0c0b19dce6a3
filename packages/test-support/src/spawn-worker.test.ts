import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { spawnWorker, startWorkerProcess } from './spawn-worker.js'
import { waitFor } from './wait-for.js'
import { createWorkerSupervisor } from './worker-supervisor.js'

const fakeWorker = fileURLToPath(new URL('../test/fixtures/fake-worker.mjs', import.meta.url))

function start(behaviour = '') {
  const worker = startWorkerProcess('fake-worker', fakeWorker, { BEHAVIOUR: behaviour })
  onTestFinished(async () => {
    worker.kill('SIGKILL')
    await worker.exited
  })
  return worker
}

test('a worker is ready when /readyz says so, and ends by SIGTERM', async () => {
  const worker = start()
  await worker.ready()
  expect((await fetch(`${worker.httpUrl}/readyz`)).status).toBe(200)
  expect(await worker.terminate()).toEqual({ code: 0, signal: null })
  expect(worker.running).toBe(false)
})

test('log records are told from other output, also when a line comes in pieces', async () => {
  const worker = start()
  await waitFor(() => worker.strayOutput.length === 1, { what: 'the output' })
  expect(worker.logs).toEqual([{ level: 30, msg: 'started' }])
  expect(worker.strayOutput).toEqual(['not a record'])
})

test('waiting for a worker that exits fails at once and shows what it wrote', async () => {
  const worker = start('refuse to start')
  await expect(worker.ready()).rejects.toThrow(
    /Exited before it was ready: fake-worker .*exit code 1[\s\S]*DATABASE_URL is missing/,
  )
})

test('a worker that does not end by SIGTERM is an error with its log', async () => {
  const worker = start('ignore SIGTERM')
  await worker.ready()
  await expect(worker.terminate({ timeoutMs: 100 })).rejects.toThrow(
    /Still running 100 ms after SIGTERM[\s\S]*draining/,
  )
})

test("a worker sees nothing of the test runner's environment", async () => {
  const worker = startWorkerProcess(
    'print-environment',
    fileURLToPath(new URL('../test/fixtures/print-environment.mjs', import.meta.url)),
    {
      GIVEN: 'yes',
    },
  )
  await worker.exited
  expect(Object.keys(worker.logs[0] ?? {}).sort()).toEqual(['GIVEN', 'HTTP_PORT', 'PATH'])
})

test('an app that is not built is an error that says what to run', () => {
  expect(() => spawnWorker('no-such-worker', {})).toThrow(
    'apps/no-such-worker/dist/main.js does not exist. Run `npm run build` first.',
  )
})

test('a worker that the test left running is killed and named', async () => {
  const supervisor = createWorkerSupervisor((_name, env) => startWorkerProcess('fake-worker', fakeWorker, env))
  const left = supervisor.spawn('left-worker', {})
  const deaf = supervisor.spawn('deaf-worker', { BEHAVIOUR: 'ignore SIGTERM' })
  await deaf.ready()
  deaf.kill('SIGTERM')
  await expect(supervisor.killLeftovers({ graceMs: 50 })).rejects.toThrow(
    /2 worker\(s\) had to be killed.*left-worker \(pid \d+, signals sent by the test: none\); deaf-worker .*: SIGTERM\)/,
  )
  expect([left.running, deaf.running]).toEqual([false, false])
})

test('a test that starts a worker again whenever it ends comes to its end too', async () => {
  const supervisor = createWorkerSupervisor((_name, env) => startWorkerProcess('fake-worker', fakeWorker, env))
  async function keepRunning(): Promise<never> {
    await supervisor.spawn('fake-worker', {}).exited
    return await keepRunning()
  }
  const refused = expect(keepRunning()).rejects.toThrow('no worker to be started after the test, found a fake-worker')
  await expect(supervisor.killLeftovers()).rejects.toThrow(/1 worker\(s\) had to be killed/)
  await refused
})

test('a worker that the test killed or ended is nothing to complain of', async () => {
  const supervisor = createWorkerSupervisor((_name, env) => startWorkerProcess('fake-worker', fakeWorker, env))
  supervisor.spawn('killed-worker', {}).kill('SIGKILL')
  const ended = supervisor.spawn('ended-worker', {})
  await ended.ready()
  await ended.terminate()
  await supervisor.killLeftovers()
})

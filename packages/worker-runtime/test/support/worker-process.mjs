// A worker whose database never comes, run by process.test.ts as a process of its own.
import { readEnv, runWorker, workerEnv } from '@mono/worker-runtime'

// biome-ignore lint/style/noProcessEnv: this is the entry file of a process
const env = process.env

if (env.LEAK === 'timer') setInterval(() => {}, 1000)
if (env.FAULT === 'exception') setTimeout(() => JSON.parse('{"content": SECRET-4711'), 300)
if (env.FAULT === 'rejection') setTimeout(() => void Promise.reject(new Error('nobody waits')), 300)

await runWorker({
  name: 'audit-worker',
  schema: 'audit',
  probeTable: 'audit.events',
  readEnv: () => readEnv(workerEnv({ httpPort: 0, prefetch: 1 }), env),
  start: () => {
    throw new Error('The database never comes')
  },
})

// The door for what runs without vitest, which the other one loads.
export { findOvertakers } from './find-overtakers.js'
export { migrate } from './migrate.js'
export { spawnWorker, startWorkerProcess, type WorkerProcess } from './spawn-worker.js'
export { createTcpProxy, type TcpProxy } from './tcp-proxy.js'
export { waitFor } from './wait-for.js'

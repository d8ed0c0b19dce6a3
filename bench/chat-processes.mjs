// @ts-check

/** @type {import('./start-worker.mjs').WorkerProcess} */
export const chatWorker = { script: 'apps/chat-worker/dist/main.js' }

const prefetch = 500
const batchSize = 100

/** @param {import('./recording.mjs').RecordingMeans} means */
export function chatReference({ vhost, database }) {
  return { script: 'bench/reference-chat.mjs', args: [vhost.url, database.url, prefetch, batchSize] }
}

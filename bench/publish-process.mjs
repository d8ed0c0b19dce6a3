// @ts-check
import process from 'node:process'

// Sends as many messages as it is told, from a process of its own, and prints the seconds that they took. Before the
// clock runs some are sent, so that the connection is up and the code compiled on both sides alike.

const [script = '', url = '', count = '', inFlight = '', warmUp = ''] = process.argv.slice(2)

/** @type {typeof import('./reference-publish.mjs')} */
const { openPublisher } = await import(`./${script}`)
const { publishAll, close } = await openPublisher(url)
await publishAll(Number(warmUp), Number(inFlight))
const startedAt = performance.now()
await publishAll(Number(count), Number(inFlight))
process.stdout.write(`${(performance.now() - startedAt) / 1000}\n`)
await close()

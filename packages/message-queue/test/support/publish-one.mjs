// Publishes one event as an application does, and prints what that has loaded.
import { createRequire } from 'node:module'
import { examples } from '@mono/contracts'
import { createMessageQueue } from '@mono/message-queue'

const { cache } = createRequire(import.meta.url)
const [url = ''] = process.argv.slice(2)
const messageQueue = createMessageQueue({ url })
await messageQueue.sendAuditEvent(examples['audit.event'])
const modules = Object.keys(cache)
process.stdout.write(
  JSON.stringify({
    rascal: modules.filter((file) => /node_modules.rascal./.test(file)).length,
    amqplib: modules.filter((file) => /node_modules.amqplib./.test(file)).length,
    residentMegabytes: Math.round(process.memoryUsage.rss() / 1e6),
  }),
)
await messageQueue.close()

// @ts-check
import { once } from 'node:events'
import process from 'node:process'
import { PromptSmtpServer } from '@mono/test-support/sinks'
import { createTcpProxy } from '@mono/test-support/tools'
import { serveTally } from './sink-tally.mjs'
import { withoutIds } from './without-ids.mjs'

// A mail server that takes everything and looks into nothing. Told to, it is as far away as that each command is answered
// after so many milliseconds, and needs more for what it has been given.

const [commandMs = 0, finalDotMs = commandMs] = process.argv.slice(2).map(Number)

const server = new PromptSmtpServer({
  disabledCommands: ['STARTTLS'],
  authOptional: true,
  // So that each command waits for the answer to the one before.
  hidePIPELINING: commandMs > 0,
  onData(stream, { envelope: { rcptTo } }, callback) {
    /** @type {Buffer[]} */
    const chunks = []
    let bytes = 0
    stream.on('data', (chunk) => {
      chunks.push(chunk)
      bytes += chunk.length
    })
    stream.once('end', () => {
      const describe = () => withoutIds(Buffer.concat(chunks).toString())
      tally.add({ recipient: rcptTo.map(({ address }) => address).join(), bytes, describe })
      if (finalDotMs > commandMs) setTimeout(callback, finalDotMs - commandMs)
      else callback()
    })
  },
})
server.on('error', () => {}) // of clients that went away
server.listen(0, '127.0.0.1')
await once(server.server, 'listening')
const address = server.server.address()
const port = typeof address === 'object' ? (address?.port ?? 0) : 0
const tally = serveTally(commandMs > 0 ? await openDistantPort(port) : port)

/** @param {number} nearPort */
async function openDistantPort(nearPort) {
  const proxy = await createTcpProxy({ target: `smtp://127.0.0.1:${nearPort}` })
  proxy.delay(commandMs / 2)
  return proxy.port
}

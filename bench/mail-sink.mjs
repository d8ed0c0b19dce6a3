// @ts-check
import { once } from 'node:events'
import { PromptSmtpServer } from '@mono/test-support/sinks'
import { serveTally } from './sink-tally.mjs'

// A mail server that takes everything and looks into nothing.

const server = new PromptSmtpServer({
  disabledCommands: ['STARTTLS'],
  authOptional: true,
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
      callback()
    })
  },
})
server.on('error', () => {}) // of clients that went away
server.listen(0, '127.0.0.1')
await once(server.server, 'listening')
const address = server.server.address()
const tally = serveTally(typeof address === 'object' ? (address?.port ?? 0) : 0)

/** @param {string} mail */
function withoutIds(mail) {
  return mail
    .replace(/[0-9a-f]{16,}/g, (id) => `${id.length} hexadecimal digits`)
    .replace(/^Date: .*$/m, (date) => `Date of ${date.length} characters`)
    .replace(/\d{6}(?=@)/g, '6 digits')
}

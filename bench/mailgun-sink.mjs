// @ts-check
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import process from 'node:process'
import { createSelfSignedCertificate } from '@mono/test-support/sinks'
import { serveTally } from './sink-tally.mjs'
import { withoutIds } from './without-ids.mjs'

// Mailgun: takes every mail after a while, and looks into nothing but whom it is for.

const [certificateFile = '', answerAfterMs = '0'] = process.argv.slice(2)
const certificate = createSelfSignedCertificate(['localhost'])
await writeFile(certificateFile, certificate.cert)
const server = createSecureServer({ ...certificate, allowHTTP1: true })
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const tally = serveTally(typeof address === 'object' ? (address?.port ?? 0) : 0)

server.on('request', (request, response) => {
  /** @type {Buffer[]} */
  const chunks = []
  request.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk))
  request.once('end', () => {
    const body = Buffer.concat(chunks)
    const mail = readPart(body, 'message')
    tally.add({
      recipient: readPart(body, 'to').toString(),
      bytes: mail.length,
      describe: () => withoutIds(mail.toString()),
    })
    setTimeout(() => {
      response.setHeader('content-type', 'application/json')
      response.end('{"id":"<1@example.com>","message":"Queued. Thank you."}')
    }, Number(answerAfterMs))
  })
})

/**
 * The content of one part of a form.
 * @param {Buffer} body
 * @param {string} name
 */
function readPart(body, name) {
  const boundary = body.subarray(0, body.indexOf('\r\n'))
  const head = body.indexOf(`name="${name}"`)
  const start = body.indexOf('\r\n\r\n', head) + 4
  return body.subarray(start, body.indexOf(boundary, start) - 2)
}

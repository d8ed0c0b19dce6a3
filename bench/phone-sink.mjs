// @ts-check
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import process from 'node:process'
import { createSelfSignedCertificate } from '@mono/test-support/sinks'
import { serveTally } from './sink-tally.mjs'

// FCM with its token endpoint, and APNs: takes everything after a while, and looks into nothing but whom it is for.

const [certificateFile = '', answerAfterMs = '0'] = process.argv.slice(2)
const certificate = createSelfSignedCertificate(['localhost', 'fcm.googleapis.com', 'oauth2.googleapis.com'])
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
    if (request.url === '/token') {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ access_token: 'token', expires_in: 3599, token_type: 'Bearer' }))
      return
    }
    const { recipient, content } = read(request.url, JSON.parse(Buffer.concat(chunks).toString()))
    tally.add({ recipient, bytes: JSON.stringify(content).length, describe: () => JSON.stringify(content) })
    setTimeout(() => answer(response, recipient), Number(answerAfterMs))
  })
})

/**
 * Whom a request is for, and what a person gets of it.
 * @param {string | undefined} url
 * @param {any} body
 */
function read(url = '', body) {
  if (url.startsWith('/3/device/')) {
    const { aps, ...data } = body
    return { recipient: url.slice('/3/device/'.length), content: { ...aps.alert, data } }
  }
  const { token, notification, data } = body.message
  return { recipient: token, content: { ...notification, data } }
}

/**
 * @param {import('node:http2').Http2ServerResponse} response
 * @param {string} recipient
 */
function answer(response, recipient) {
  response.setHeader('content-type', 'application/json')
  response.end(recipient.startsWith('fcm') ? JSON.stringify({ name: `projects/bench/messages/${recipient}` }) : '')
}

// @ts-check
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import process from 'node:process'
import { createSelfSignedCertificate } from '@mono/test-support/sinks'
import { serveTally } from './sink-tally.mjs'

// A push service that takes everything and looks into nothing, over HTTP/2 and HTTP/1.1.

const [certificateFile = ''] = process.argv.slice(2)
const certificate = createSelfSignedCertificate(['localhost'])
await writeFile(certificateFile, certificate.cert)
const server = createSecureServer({ ...certificate, allowHTTP1: true })
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const tally = serveTally(typeof address === 'object' ? (address?.port ?? 0) : 0)

server.on('request', (request, response) => {
  let bytes = 0
  request.on('data', (chunk) => {
    bytes += chunk.length
  })
  request.once('end', () => {
    const { ttl, urgency, 'content-type': type, 'content-encoding': encoding } = request.headers
    const describe = () => JSON.stringify({ ttl, urgency, type, encoding, bytes })
    tally.add({ recipient: request.url, bytes, describe })
    response.statusCode = 201
    response.end()
  })
})

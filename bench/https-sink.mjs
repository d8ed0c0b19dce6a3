// @ts-check
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import { createSelfSignedCertificate } from '@mono/test-support/sinks'

/**
 * @typedef {import('node:http2').Http2ServerRequest} Request
 * @typedef {import('node:http2').Http2ServerResponse} Response
 */

/**
 * A server for both versions of HTTP, with a certificate that it writes to a file.
 * @param {object} options
 * @param {string} options.certificateFile
 * @param {string[]} options.hosts
 * @param {(request: Request, body: Buffer, response: Response) => void} options.serve
 * @returns {Promise<number>} its port
 */
export async function openHttpsSink({ certificateFile, hosts, serve }) {
  const certificate = createSelfSignedCertificate(hosts)
  await writeFile(certificateFile, certificate.cert)
  const server = createSecureServer({ ...certificate, allowHTTP1: true })
  server.on('request', (request, response) => {
    /** @type {Buffer[]} */
    const chunks = []
    request.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk))
    request.once('end', () => serve(request, Buffer.concat(chunks), response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

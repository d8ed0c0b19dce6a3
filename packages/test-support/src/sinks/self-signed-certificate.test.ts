import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { expect } from 'vitest'
import { test } from '../test.js'
import { certificateFor, createCertificateAuthority, createSelfSignedCertificate } from './self-signed-certificate.js'

const hosts = ['localhost', '127.0.0.1', '*.push.test', 'mail.example.com']

/** 'trusted', or the code of the error. */
async function handshake(
  servername: string | undefined,
  ca: string[],
  cleanUp: (release: () => unknown) => void,
  own = certificate,
) {
  const server = createServer({ ...own }).listen(0, '127.0.0.1')
  cleanUp(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', ca, ...(servername !== undefined && { servername }) })
  cleanUp(() => socket.destroy())
  return new Promise<string>((resolve) => {
    socket.once('secureConnect', () => resolve('trusted'))
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(code))
  })
}

const certificate = createSelfSignedCertificate(hosts)

test.for([
  ['localhost', 'trusted'],
  [undefined, 'trusted'],
  ['one.push.test', 'trusted'],
  ['mail.example.com', 'trusted'],
  ['push.example.com', 'ERR_TLS_CERT_ALTNAME_INVALID'],
] as const)('a client that trusts it and connects to %s: %s', async ([servername, outcome], { cleanUp }) => {
  expect(await handshake(servername, [certificate.cert], cleanUp)).toBe(outcome)
})

test('is not trusted for another one, and trusted among others', async ({ cleanUp }) => {
  const another = createSelfSignedCertificate(hosts).cert
  expect(await handshake('localhost', [another], cleanUp)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
  expect(await handshake('localhost', [another, certificate.cert], cleanUp)).toBe('trusted')
})

test('signs itself, and is valid for ten years', () => {
  const parsed = new X509Certificate(certificate.cert)
  const { publicKey, validFrom, validTo, ca } = parsed
  expect(parsed.verify(publicKey)).toBe(true)
  expect(new Date(validFrom).getTime()).toBeLessThan(Date.now())
  expect(new Date(validTo).getTime()).toBeGreaterThan(Date.now() + 9 * 365 * 86_400_000)
  expect(ca).toBe(true)
})

test('takes so many names that lengths need two bytes', () => {
  const names = Array.from({ length: 40 }, (_, index) => `host-${index}.example.com`)
  const { subjectAltName } = new X509Certificate(createSelfSignedCertificate(names).cert)
  expect(subjectAltName).toBe(names.map((name) => `DNS:${name}`).join(', '))
})

test('is the same for the same hosts', () => {
  expect(certificateFor(hosts)).toBe(certificateFor([...hosts]))
  expect(certificateFor(hosts).cert).not.toBe(certificateFor(['localhost']).cert)
})

test.for([
  ['for the host', ['localhost'], {}, 'trusted'],
  ['for another host', ['mail.example.com'], {}, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['that has expired', ['localhost'], { expired: true }, 'CERT_HAS_EXPIRED'],
] as const)('a client that trusts an authority and meets its certificate %s: %s', async (row, { cleanUp }) => {
  const [, names, options, outcome] = row
  const authority = createCertificateAuthority()
  const issued = authority.issue(names, options)
  expect(await handshake('localhost', [authority.cert], cleanUp, issued)).toBe(outcome)
  expect(new X509Certificate(issued.cert).ca).toBe(false)
})

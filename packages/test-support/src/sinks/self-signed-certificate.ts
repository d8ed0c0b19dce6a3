import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

export interface Certificate {
  /** PEM. */
  key: string
  /** PEM. Being self-signed, it is also the authority to trust. */
  cert: string
}

export interface CertificateAuthority {
  /** PEM: the certificate to trust. */
  cert: string
  /** @param options `expired`: since yesterday */
  issue(hosts: readonly string[], options?: { expired?: boolean }): Certificate
}

const day = 86_400_000
const tenYears = 10 * 365 * day

/**
 * A P-256 key and a certificate for DNS names (`*.` is allowed) and IPv4 addresses, valid for ten years.
 * Node makes keys but no certificates, hence the few bytes of X.509 (RFC 5280) here.
 */
export function createSelfSignedCertificate(hosts: readonly string[]): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = createName()
  const cert = signCertificate({ hosts, publicKey, subject: name, issuer: { name, privateKey }, isAuthority: true })
  return { key: toPrivatePem(privateKey), cert }
}

/** Somebody who signs certificates. */
export function createCertificateAuthority(): CertificateAuthority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = { name: createName(), privateKey }
  return {
    cert: signCertificate({ hosts: [], publicKey, subject: issuer.name, issuer, isAuthority: true }),
    issue(hosts, { expired = false } = {}) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const subject = createName()
      const validUntil = Date.now() + (expired ? -day : tenYears)
      const cert = signCertificate({ hosts, publicKey: own.publicKey, subject, issuer, isAuthority: false, validUntil })
      return { key: toPrivatePem(own.privateKey), cert }
    },
  }
}

interface CertificateContent {
  hosts: readonly string[]
  publicKey: KeyObject
  /** Names are DER. */
  subject: Buffer
  issuer: { name: Buffer; privateKey: KeyObject }
  isAuthority: boolean
  validUntil?: number
}

/** @returns PEM */
function signCertificate({
  hosts,
  publicKey,
  subject,
  issuer,
  isAuthority,
  validUntil = Date.now() + tenYears,
}: CertificateContent): string {
  const ecdsaWithSha256 = sequence(der(tag.oid, hex('2a8648ce3d040302')))
  const basicConstraints = sequence(...(isAuthority ? [der(tag.boolean, Buffer.of(0xff))] : []))
  const alternativeNames = sequence(...hosts.map(alternativeName))
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(createSerial()),
    ecdsaWithSha256,
    issuer.name,
    sequence(utcTime(Math.min(Date.now(), validUntil) - 3_600_000), utcTime(validUntil)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        extension(hex('551d13'), basicConstraints),
        ...(hosts.length > 0 ? [extension(hex('551d11'), alternativeNames)] : []),
      ),
    ),
  )
  const signature = sign('sha256', toBeSigned, issuer.privateKey)
  return toPem(sequence(toBeSigned, ecdsaWithSha256, der(tag.bitString, Buffer.of(0), signature)))
}

const createSerial = () => hex(`01${randomBytes(8).toString('hex')}`)

/** Unlike any other's, so that several can be trusted at once: OpenSSL looks authorities up by their name. */
function createName(): Buffer {
  const text = utf8(`test-support ${createSerial().toString('hex')}`)
  return sequence(der(tag.set, sequence(der(tag.oid, hex('550403')), text)))
}

const toPrivatePem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

const byHosts = new Map<string, Certificate>()

/** The same for the same hosts, so that a process needs to trust one only. */
export function certificateFor(hosts: readonly string[]): Certificate {
  const key = hosts.join(' ')
  const certificate = byHosts.get(key) ?? createSelfSignedCertificate(hosts)
  byHosts.set(key, certificate)
  return certificate
}

const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
}

function der(type: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.of(type, length), content])
  if (length < 0x100) return Buffer.concat([Buffer.of(type, 0x81, length), content])
  return Buffer.concat([Buffer.of(type, 0x82, length >> 8, length & 0xff), content])
}

const sequence = (...contents: Buffer[]) => der(tag.sequence, ...contents)
const integer = (value: Buffer) => der(tag.integer, value)
const utf8 = (text: string) => der(tag.utf8String, Buffer.from(text))
const hex = (digits: string) => Buffer.from(digits, 'hex')

/** YYMMDDhhmmssZ */
function utcTime(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replace(/\D/g, '').slice(2, 14)
  return der(tag.utcTime, Buffer.from(`${digits}Z`))
}

function extension(oid: Buffer, value: Buffer): Buffer {
  return sequence(der(tag.oid, oid), der(tag.octetString, value))
}

function alternativeName(host: string): Buffer {
  return isIPv4(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host))
}

function toPem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

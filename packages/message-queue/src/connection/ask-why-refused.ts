import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { BrokerEndpoint } from './broker-endpoint.js'

const timeoutMs = 2_000

/** AMQP 0-9-1, section 4.2: class and method in one number. */
const method = {
  start: 0x000a_000a,
  startOk: 0x000a_000b,
  tune: 0x000a_001e,
  tuneOk: 0x000a_001f,
  open: 0x000a_0028,
  close: 0x000a_0032,
} as const
const protocolHeader = Buffer.from('AMQP\0\0\x09\x01', 'latin1')
const frameHeaderBytes = 7
const frameEndBytes = 1
const frameEnd = 0xce
/** More than a handshake takes. */
const maxBytes = 64 * 1024

export interface BrokersRefusal {
  /** The reply code of AMQP. */
  code: number
  /** In the broker's own words. */
  text: string
}

/**
 * Opens a connection of its own, step by step until the broker refuses it, and reads why. amqplib throws that away when
 * the broker refuses after the login: a vhost that is not there or that the user may not enter, a limit of connections.
 *
 * @returns undefined if the broker does not refuse this time, or cannot be asked
 */
export function askWhyRefused(endpoint: BrokerEndpoint, signal?: AbortSignal): Promise<BrokersRefusal | undefined> {
  return new Promise((resolve) => {
    const socket = openSocket(endpoint)
    const end = (refusal?: BrokersRefusal) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(refusal)
    }
    const onAbort = () => end()
    const timer = setTimeout(end, timeoutMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) return end()
    let received = Buffer.alloc(0)
    socket.on('error', () => end())
    socket.on('close', () => end())
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length > maxBytes) return end()
      try {
        for (let frame = takeFrame(); frame; frame = takeFrame()) answer(frame)
      } catch {
        end() // it is no AMQP peer
      }
    })
    socket.write(protocolHeader)

    function takeFrame(): Buffer | undefined {
      if (received.length < frameHeaderBytes) return undefined
      const bytes = frameHeaderBytes + received.readUInt32BE(3) + frameEndBytes
      if (received.length < bytes) return undefined
      const payload = received.subarray(frameHeaderBytes, bytes - frameEndBytes)
      received = received.subarray(bytes)
      return payload
    }

    function answer(payload: Buffer): void {
      const id = payload.length < 4 ? 0 : payload.readUInt32BE(0)
      if (id === method.start) socket.write(toStartOk(endpoint))
      else if (id === method.tune) socket.write(Buffer.concat([toTuneOk(payload), toOpen(endpoint)]))
      else end(id === method.close ? toRefusal(payload) : undefined)
    }
  })
}

function openSocket({ url }: BrokerEndpoint): Socket {
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol !== 'amqps:') return connectTcp({ host, port: Number(port || 5672) })
  return connectTls({ host, port: Number(port || 5671), ...(isIP(host) === 0 && { servername: host }) })
}

/** Without the capability the broker closes the socket over a wrong password, without a word. */
function toStartOk({ credentials }: BrokerEndpoint): Buffer {
  const capability = Buffer.concat([toShortText('authentication_failure_close'), Buffer.from('t\x01')])
  const properties = Buffer.concat([toShortText('capabilities'), Buffer.from('F'), toLong(capability)])
  const { mechanism, response } = credentials ?? { mechanism: 'PLAIN', response: () => Buffer.from('\0guest\0guest') }
  return toFrame(method.startOk, [toLong(properties), toShortText(mechanism), toLong(response()), toShortText('en_US')])
}

function toTuneOk(tune: Buffer): Buffer {
  return toFrame(method.tuneOk, [tune.subarray(4)])
}

function toOpen({ vhost }: BrokerEndpoint): Buffer {
  return toFrame(method.open, [toShortText(vhost), toShortText(''), Buffer.from([0])])
}

function toRefusal(close: Buffer): BrokersRefusal {
  return { code: close.readUInt16BE(4), text: close.subarray(7, 7 + close.readUInt8(6)).toString() }
}

function toFrame(id: number, parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(frameHeaderBytes + 4)
  const payloadBytes = parts.reduce((bytes, { length }) => bytes + length, 4)
  head.writeUInt8(1, 0)
  head.writeUInt32BE(payloadBytes, 3)
  head.writeUInt32BE(id, frameHeaderBytes)
  return Buffer.concat([head, ...parts, Buffer.from([frameEnd])])
}

function toShortText(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

function toLong(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

// @ts-check
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** @param {string} text */
const shortString = (text) => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)])

/** @param {number} value */
const long = (value) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** @param {Buffer[]} entries */
const table = (...entries) => {
  const content = Buffer.concat(entries)
  return Buffer.concat([long(content.length), content])
}

/** With this capability a broker says why it refuses a login; without it, it closes the connection after a while. */
const clientProperties = table(
  shortString('capabilities'),
  Buffer.from('F'),
  table(shortString('authentication_failure_close'), Buffer.from('t\x01')),
)

/**
 * A method frame of channel 0 (AMQP 0-9-1, 2.3.5 and 4.2.3), class 10 `connection`.
 * @param {number} method
 * @param {Buffer[]} args
 */
function connectionFrame(method, ...args) {
  const payload = Buffer.concat([Buffer.from([0, 10, 0, method]), ...args])
  return Buffer.concat([Buffer.from([1, 0, 0]), long(payload.length), payload, Buffer.from([0xce])])
}

/**
 * Logs in to a broker and opens the vhost of the URL. It needs no library, because services are started before
 * dependencies are installed.
 * @param {string} url `amqp://` or `amqps://`
 * @param {number} [timeoutMs] a stopped broker still accepts TCP connections: only time tells
 * @returns {Promise<string | undefined>} undefined: it can be used; else why not
 */
export function probeAmqp(url, timeoutMs = 5000) {
  const { protocol, hostname, port, username, password, pathname } = new URL(url)
  const secure = protocol === 'amqps:'
  const host = hostname.replace(/^\[|\]$/g, '')
  const vhost = pathname.length > 1 ? decodeURIComponent(pathname.slice(1)) : '/'
  const credentials = `\0${decodeURIComponent(username || 'guest')}\0${decodeURIComponent(password || 'guest')}`
  return new Promise((resolve) => {
    const target = { host, port: Number(port || (secure ? 5671 : 5672)) }
    const socket = secure ? connectTls({ ...target, servername: host }) : connect(target)
    let received = Buffer.alloc(0)
    /** @param {string | undefined} fault */
    const finish = (fault) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(fault)
    }
    const timer = setTimeout(() => finish('no answer'), timeoutMs)
    socket.once(secure ? 'secureConnect' : 'connect', () => socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1')))
    socket.on('error', (error) => finish(error.message || /** @type {NodeJS.ErrnoException} */ (error).code || 'error'))
    socket.on('close', () => finish('it closed the connection: is that an AMQP port?'))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.subarray(0, 4).toString('latin1') === 'AMQP') return finish('it speaks another version of AMQP')
      while (received.length >= 7 && received.length >= received.readUInt32BE(3) + 8) {
        const size = received.readUInt32BE(3)
        const payload = received.subarray(7, 7 + size)
        const method = received[0] === 1 ? payload.readUInt16BE(2) : 0
        received = received.subarray(size + 8)
        if (method === 10) {
          const response = table(Buffer.from(credentials))
          socket.write(connectionFrame(11, clientProperties, shortString('PLAIN'), response, shortString('en_US')))
        } else if (method === 30) {
          socket.write(connectionFrame(31, payload.subarray(4, 10), Buffer.from([0, 0])))
          socket.write(connectionFrame(40, shortString(vhost), shortString(''), Buffer.from([0])))
        } else if (method === 41) {
          socket.write(connectionFrame(50, Buffer.from([0, 200]), shortString(''), long(0)))
        } else if (method === 51) {
          finish(undefined)
        } else if (method === 50) {
          finish(payload.subarray(7, 7 + (payload[6] ?? 0)).toString())
        }
      }
    })
  })
}

// @ts-check
import { connect } from 'node:net'

/**
 * Asks a PostgreSQL server for a session and goes away when it wants the password: it is up then, and past recovery.
 * @param {string} url `postgres://…`
 * @param {number} [timeoutMs]
 * @returns {Promise<string | undefined>} undefined: it takes sessions; else why not
 */
export function probePostgres(url, timeoutMs = 5000) {
  const { hostname, port, username, pathname } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 5432) })
    /** @param {string | undefined} fault */
    const finish = (fault) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(fault)
    }
    const timer = setTimeout(() => finish('no answer'), timeoutMs)
    socket.once('connect', () => {
      // StartupMessage, protocol 3.0
      const settings = Buffer.from(
        `user\0${decodeURIComponent(username)}\0database\0${decodeURIComponent(pathname.slice(1))}\0\0`,
      )
      const head = Buffer.alloc(8)
      head.writeUInt32BE(settings.length + 8)
      head.writeUInt32BE(196608, 4)
      socket.write(Buffer.concat([head, settings]))
    })
    socket.on('error', (error) => finish(error.message || /** @type {NodeJS.ErrnoException} */ (error).code || 'error'))
    socket.on('close', () => finish('closed by the server'))
    socket.once('data', (/** @type {Buffer} */ answer) => {
      // ErrorResponse of a server that is starting or stopping; any other refusal (no TLS, no such user) is left to
      // the driver, which knows more than this probe.
      const starting = answer[0] === 0x45 && answer.includes('57P03')
      finish(starting ? 'it is starting up' : undefined)
    })
  })
}

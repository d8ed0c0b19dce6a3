// @ts-check
import { createServer } from 'node:net'

/**
 * @param {number} port
 * @param {string} host
 * @returns {Promise<boolean>}
 */
function canListen(port, host) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      // A machine without IPv6 says nothing about the port.
      resolve(error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')
    })
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** @param {number} port */
export async function isPortFree(port) {
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) if (!(await canListen(port, host))) return false
  return true
}

/**
 * The wanted ports if they are free, else others, all below 32768: above begins the range from which the kernel takes
 * ports for outgoing connections, so a port kept from last time could be in use by one.
 * @template {string} Name
 * @param {Record<Name, number | undefined>} wanted undefined: any port but a well-known one
 * @param {string} seed ends in hexadecimal digits; spreads the clones of one machine, which may choose at the same moment
 * @returns {Promise<Record<Name, number>>}
 */
export async function choosePorts(wanted, seed) {
  const chosen = /** @type {Record<Name, number>} */ ({})
  const taken = new Set()
  let next = 20000 + (Number.parseInt(seed.slice(-6), 16) % 1100) * 10
  for (const name of /** @type {Name[]} */ (Object.keys(wanted))) {
    let port = wanted[name]
    while (port === undefined || taken.has(port) || !(await isPortFree(port))) port = ++next
    if (port >= 32768) throw new Error(`no free port for ${name} between 20000 and 32767`)
    taken.add(port)
    chosen[name] = port
  }
  return chosen
}

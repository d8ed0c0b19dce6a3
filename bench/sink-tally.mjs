// @ts-check
import process from 'node:process'

/**
 * What a sink has taken.
 * @typedef {object} Tally
 * @property {number} count
 * @property {number} recipients different ones
 * @property {number} bytes of the bodies
 * @property {number} firstAt milliseconds since 1970
 * @property {number} lastAt
 * @property {string} sample what the first was like, without what differs from one to the next
 */

/**
 * Tells the parent the sink's port, and then what has been taken, whenever it asks. Ends with the parent.
 * @param {number} port
 */
export function serveTally(port) {
  /** @type {Set<string>} */
  const recipients = new Set()
  const start = { count: 0, bytes: 0, firstAt: 0, lastAt: 0, sample: '' }
  let taken = { ...start }

  process.on('message', (question) => {
    if (question === 'renew') {
      taken = { ...start }
      recipients.clear()
    }
    process.send?.({ ...taken, recipients: recipients.size })
  })
  process.once('disconnect', () => process.exit())
  process.send?.({ port })

  return {
    /** @param {{ recipient: string, bytes: number, describe: () => string }} taking */
    add({ recipient, bytes, describe }) {
      taken.lastAt = performance.timeOrigin + performance.now()
      if (taken.count === 0) {
        taken.firstAt = taken.lastAt
        taken.sample = describe()
      }
      taken.count += 1
      taken.bytes += bytes
      recipients.add(recipient)
    },
  }
}

// @ts-check

/** @type {[RegExp, string][]} what commands and servers print, and what it means */
const causes = [
  [
    /ENOSPC|No space left on device|enospc|disk quota exceeded/i,
    'the disk is full: free some space, and run this again',
  ],
  [/EROFS|Read-only file system/i, 'the directory is read-only: use a checkout that can be written to'],
  [/\bEACCES\b|\bEPERM\b/, 'this user may not write there: use a checkout of your own'],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|Temporary failure resolving|Could not resolve|Could not connect to/,
    'the server that it comes from cannot be reached: check the network, or the proxy, and run this again',
  ],
]

/**
 * The cause that the output of a command tells, in words.
 * @param {string} output
 * @returns {string | undefined} undefined: none that is known
 */
export function findCause(output) {
  return causes.find(([pattern]) => pattern.test(output))?.[1]
}

/**
 * The failure of a command or server: the cause in words if it is known, else the end of what was printed.
 * @param {string} what failed
 * @param {string} output
 * @param {string} [logs] where more of it is
 */
export function explainFailure(what, output, logs) {
  const where = logs ? ` (log: ${logs})` : ''
  const cause = findCause(output)
  if (cause) return new Error(`${what}, since ${cause}${where}.`)
  const end = output.trim().split('\n').slice(-12).join('\n  ')
  return new Error(`${what}${where}${end ? `:\n  ${end}` : ''}`)
}

/**
 * An error in one sentence that says what to do, as far as that is known.
 * @param {unknown} error
 * @returns {string}
 */
export function describeFailure(error) {
  if (!(error instanceof Error)) return String(error)
  const { code, path } = /** @type {NodeJS.ErrnoException} */ (error)
  if (code === 'ENOSPC') return `The disk${path ? ` of ${path}` : ''} is full: free some space, and run this again.`
  if (path && (code === 'EROFS' || code === 'EACCES' || code === 'EPERM')) {
    const reason = code === 'EROFS' ? 'it is on a read-only file system' : 'this user may not'
    return `${path} cannot be written to, since ${reason}: use a checkout of your own, or set MONO_LOCAL_DIRECTORY to a directory for data and logs.`
  }
  return error.message
}

// @ts-check

/** Longer than the server waits for a database that hangs: 3 s to connect, 10 s for a statement. */
const patienceMs = 15_000

/** The server says these, with JSON, of what it has not done. */
const refusals = [400, 401, 403, 404, 409, 413]

let csrfToken = ''

/** `unavailable`: the server or its database did not answer; `session-ended`: this page's session is not the browser's. */
export const apiEvents = new EventTarget()

/**
 * The server answers nothing for another session than that of this token, even if another window has logged in.
 *
 * @param {string} token the session's; '' for none
 */
export function useCsrfToken(token) {
  csrfToken = token
}

/** The request was not answered as it should be. The message is for people. */
export class ApiError extends Error {
  /** @override */
  name = 'ApiError'

  /**
   * @param {string} message
   * @param {{ status: number, accepted: false | 'unknown', isFinal?: boolean }} options status 0: there was no answer
   */
  constructor(message, { status, accepted, isFinal = false }) {
    super(message)
    this.status = status
    /** The server has refused it for what it is, so it has not done it before either. */
    this.isFinal = isFinal
    /** Server or database is away, which the page says in one place for all. */
    this.isUnavailable = status === 0 || status === 503
    /** `unknown`: it may have been done; the same request with the same ids is safe. */
    this.accepted = accepted
  }
}

/**
 * Asks the server, and resolves with what it answers: JSON, text, or undefined.
 *
 * @param {string} method
 * @param {string} path
 * @param {{ body?: unknown, signal?: AbortSignal }} [options]
 * @returns {Promise<any>}
 * @throws ApiError
 */
export async function call(method, path, { body, signal } = {}) {
  const { status, answer } = await request(method, path, body, signal)
  if (status < 400) return answer === '' ? undefined : answer
  if (status === 503) apiEvents.dispatchEvent(new Event('unavailable'))
  if ((status === 401 || status === 403) && path !== '/session') apiEvents.dispatchEvent(new Event('session-ended'))
  // Something between page and server may answer in the server's place, and does not know.
  const isRefusal = answer?.error !== undefined && refusals.includes(status)
  const accepted = answer?.accepted ?? (isRefusal ? false : 'unknown')
  const isFinal = isRefusal && status !== 401 && status !== 403
  throw new ApiError(describe(answer, status), { status, accepted, isFinal })
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @param {AbortSignal | undefined} signal
 */
async function request(method, path, body, signal) {
  const timeout = AbortSignal.timeout(patienceMs)
  /** @type {Record<string, string>} */
  const headers = {}
  if (csrfToken) headers['x-csrf-token'] = csrfToken
  if (body !== undefined) headers['content-type'] = 'application/json'
  try {
    const response = await fetch(path, {
      method,
      headers,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return { status: response.status, answer: isJson ? await response.json() : await response.text() }
  } catch {
    if (!signal?.aborted) apiEvents.dispatchEvent(new Event('unavailable'))
    throw new ApiError('the server cannot be reached', { status: 0, accepted: 'unknown' })
  }
}

/**
 * @param {{ error?: string, fields?: { path: string, reason: string }[] } | undefined} answer
 * @param {number} status
 */
function describe(answer, status) {
  const fields = answer?.fields?.map(({ path, reason }) => (path ? `${path}: ${reason}` : reason)) ?? []
  const words = fields.length > 0 ? fields.join('; ') : (answer?.error ?? `the server answered ${status}`)
  return words.charAt(0).toLowerCase() + words.slice(1)
}

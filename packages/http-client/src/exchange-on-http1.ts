import type { IncomingMessage } from 'node:http'
import { type Agent, request as startRequest } from 'node:https'
import { createAnswerBody } from './answer-body.js'
import type { HttpAnswer, HttpRequest } from './http-messages.js'
import { HttpRequestError } from './http-request-error.js'
import { toAbortedError } from './to-aborted-error.js'

export interface Http1Exchange {
  agent: Agent
  request: HttpRequest
  maxBodyBytes: number
}

/** As `exchangeOnHttp2`, on a connection of the agent's. A connection with something left to read is not used again. */
export function exchangeOnHttp1({ agent, request, maxBodyBytes }: Http1Exchange): Promise<HttpAnswer> {
  const { url, method, headers, body, signal } = request
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(toAbortedError(signal, { sent: false }))
    const outgoing = startRequest(url, { agent, method, headers })
    const received = createAnswerBody(maxBodyBytes)
    let answer: IncomingMessage | undefined

    const settle = (toError: () => HttpRequestError) => {
      signal.removeEventListener('abort', onAbort)
      const complete = answer?.readableEnded ?? false
      if (answer)
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: received.toBuffer(), complete })
      else reject(toError())
      if (!complete) outgoing.destroy()
    }
    // Without a connection of its own the request has not left.
    const onAbort = () => settle(() => toAbortedError(signal, { sent: Boolean(outgoing.socket) }))
    const onLost = (cause?: unknown) => settle(() => toLostError(cause))

    outgoing.once('response', (incoming) => {
      answer = incoming
      incoming.on('data', (chunk: Buffer) => {
        if (!received.add(chunk)) onLost()
      })
      incoming.once('end', () => onLost())
      incoming.on('error', onLost)
      incoming.once('close', () => onLost())
    })
    outgoing.on('error', onLost)
    outgoing.once('close', () => onLost())
    signal.addEventListener('abort', onAbort, { once: true })
    outgoing.end(body)
  })
}

function toLostError(cause: unknown): HttpRequestError {
  if (cause instanceof HttpRequestError) return cause
  return new HttpRequestError('CONNECTION_LOST', 'The connection ended without an answer', { sent: true, cause })
}

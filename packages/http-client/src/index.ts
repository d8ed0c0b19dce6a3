export type { HttpAnswer, HttpRequest } from './http-messages.js'
export { createHttpOriginClient, type HttpOriginClient } from './http-origin-client.js'
export { HttpRequestError, type HttpRequestFailure } from './http-request-error.js'
export type { Http2Rules } from './http2-rules.js'

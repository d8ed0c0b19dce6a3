export { createRealtimeToken, type RealtimeTokenOptions } from './create-realtime-token.js'
export { RealtimeTokenError } from './realtime-token-error.js'

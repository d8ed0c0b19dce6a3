export { AccessTokenError } from './access-token-error.js'
export { AccessTokens } from './access-tokens.js'

const adviceByError: Readonly<Record<string, string>> = {
  invalid_client: 'The token endpoint takes neither the app nor its secret; check SMTP_OAUTH_CLIENT_ID and _SECRET',
  invalid_grant: 'The token endpoint does not take the refresh token any more; make another SMTP_OAUTH_REFRESH_TOKEN',
  unauthorized_client:
    'The token endpoint does not let the app have this token; check SMTP_OAUTH_CLIENT_ID, its tenant and its permissions',
  invalid_scope: 'The token endpoint does not know the scope; check SMTP_OAUTH_SCOPE',
}

/** The line for people about a refusal of the token endpoint, by its code (RFC 6749, section 5.2). */
export function adviseOnTokenRefusal(error: string | undefined): string {
  return (
    adviceByError[error ?? ''] ??
    'The token endpoint refuses us; check SMTP_OAUTH_TOKEN_URL, _CLIENT_ID, _CLIENT_SECRET and _SCOPE'
  )
}

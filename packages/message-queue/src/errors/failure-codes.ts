/** Why a delivery was not simply acknowledged: the closed list that operators, dashboards and tools may rely on. */
export const failureCodes = [
  'INVALID_JSON',
  'INVALID_MESSAGE',
  'INVALID_HEADERS',
  'BODY_TOO_LARGE',
  'UNKNOWN_TYPE',
  'UNKNOWN_TEMPLATE',
  'INVALID_TEMPLATE_DATA',
  'ID_CONFLICT',
  'ALL_RECIPIENTS_FAILED',
  'PROVIDER_REJECTED',
  'PROVIDER_UNAVAILABLE',
  'DATABASE_UNAVAILABLE',
  'EXPIRED',
  'HANDLER_TIMEOUT',
  'HANDLER_BUG',
  'UNCLASSIFIED',
] as const

export type FailureCode = (typeof failureCodes)[number]

import { findPositiveIntegerFault } from './find-positive-integer-fault.js'

/** Why a value is not a tenant id, or undefined if it is one. A tenant id is an integer from 1 to 2^53−1. */
export function findTenantIdFault(value: unknown): string | undefined {
  return findPositiveIntegerFault(value)
}

/**
 * How many different endpoints of a push service must be refused, with nothing accepted between, before that is the
 * push service's doing. Endpoints that are dead or get too much are always among many; at a push service that has fewer
 * than these, each waits on its own anyway.
 */
export const endpointsToClose = 10

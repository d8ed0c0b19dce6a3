/**
 * Remembers, where it outlives the process, which message is being tried: a message that ends its process every time is
 * known by it, whatever else is in hand. Kept by whoever consumes a queue that keeps its order.
 */
export interface TrialJournal {
  /**
   * Writes down that a try of this message begins.
   *
   * @returns how many of its tries had begun before in other processes, and not ended. One of this process has not ended
   * it, though its end could not be written down.
   */
  begin(key: string): Promise<number>
  /** The process has survived it. */
  end(key: string): Promise<void>
}

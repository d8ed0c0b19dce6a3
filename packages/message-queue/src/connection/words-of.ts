/** What the broker itself has said in the error that amqplib made of it; of any other error, its message. */
export function wordsOf({ message }: Error): string {
  return /with message "(.*)"$/s.exec(message)?.[1] ?? message
}

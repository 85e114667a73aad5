// A raw call in node with fetch, by the client protocol.
import { createInterface } from 'node:readline'

const name = `fetch of node ${process.version}`

async function call(asked) {
  const response = await fetch(asked.url + asked.method, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(asked.params),
    signal: AbortSignal.timeout(10_000),
  })
  const answer = await response.json()
  if (answer.error) {
    return { error: { code: answer.error, description: answer.error_description, status: response.status } }
  }
  return { value: answer.result }
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    answer = await call(JSON.parse(line))
  } catch (error) {
    answer = { exception: String(error) }
  }
  console.log(JSON.stringify({ ...answer, client: name }))
}

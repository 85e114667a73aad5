// A raw call in node with axios 1.21.1, by the client protocol.
import { createInterface } from 'node:readline'
import axios from 'axios'

const name = `axios ${axios.VERSION}`

async function call(asked) {
  try {
    const { data } = await axios.post(asked.url + asked.method, asked.params, { timeout: 10_000 })
    if (data.error) return { error: { code: data.error, description: data.error_description } }
    return { value: data.result }
  } catch (error) {
    console.error(error) // as an application logs it
    const refusal = error.response?.data
    if (refusal?.error) {
      return { error: { code: refusal.error, description: refusal.error_description, status: error.response.status } }
    }
    return { exception: String(error) }
  }
}

async function answer(asked) {
  return { ...(await call(asked)), params: asked.params, client: name, concurrent: true }
}

for await (const line of createInterface({ input: process.stdin })) {
  // Two calls that are made at once come as a list.
  for (const one of await Promise.all([JSON.parse(line)].flat().map(answer))) console.log(JSON.stringify(one))
}

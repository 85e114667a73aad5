// A raw call in Java with java.net.http and Gson, by the client protocol: java -cp gson.jar RawHttpClient.java
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

class RawHttpClient {
    static final Gson GSON = new GsonBuilder().serializeNulls().create();
    static final HttpClient HTTP = HttpClient.newHttpClient();

    static void vote(JsonObject asked, JsonObject answer) throws Exception {
        URI uri = URI.create(asked.get("url").getAsString() + asked.get("method").getAsString());
        HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(GSON.toJson(asked.get("params")))).build();
        var response = HTTP.send(request, BodyHandlers.ofString());
        JsonObject got = JsonParser.parseString(response.body()).getAsJsonObject();
        if (got.has("error")) {
            JsonObject error = new JsonObject();
            error.add("code", got.get("error"));
            error.add("description", got.get("error_description"));
            error.addProperty("status", response.statusCode());
            answer.add("error", error);
        } else {
            answer.add("value", got.get("result"));
        }
    }

    public static void main(String[] words) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonObject answer = new JsonObject();
            answer.addProperty("client", "java.net.http of Java " + System.getProperty("java.version"));
            try {
                vote(JsonParser.parseString(line).getAsJsonObject(), answer);
            } catch (Exception error) {
                answer.addProperty("exception", error.toString());
            }
            System.out.println(GSON.toJson(answer));
        }
    }
}

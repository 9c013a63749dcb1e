using System.Text;
using System.Text.Json;
using ModelDsl.Cli.Hosting;
using ModelDsl.Runtime.Profiling;
using ModelDsl.Runtime.Tokenization;

namespace ModelDsl.Cli.Output;

/// <summary>What <c>dsmc run --json</c> ends with: the new tokens, their text, speeds, and the profile if one was taken.</summary>
internal static class RunJson
{
    public static string Write(RunResult result, Tokenizer? tokenizer, RunProfile? profile)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("tokens");
            foreach (var token in result.Tokens) json.WriteNumberValue(token);
            json.WriteEndArray();
            if (tokenizer is not null) json.WriteString("text", tokenizer.Decode([.. result.Tokens], skipSpecial: true));
            json.WriteNumber("prompt_tokens", result.PromptTokens);
            json.WriteNumber("prompt_tokens_per_second", Math.Round(result.PromptTokensPerSecond, 2));
            json.WriteNumber("tokens_per_second", Math.Round(result.NewTokensPerSecond, 2));
            if (result.Drafted > 0)
            {
                json.WriteNumber("drafted", result.Drafted);
                json.WriteNumber("accepted", result.Accepted);
                json.WriteNumber("accepted_share", Math.Round(result.AcceptedShare, 4));
            }

            if (profile is not null)
            {
                json.WritePropertyName("profile");
                ProfileJson.Write(json, profile.Phases());
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}

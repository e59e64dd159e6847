using System.Text.Json.Nodes;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors;

/// <summary>Reads what users give to connect an account.</summary>
internal static class Credentials
{
    private const int MaxChars = 2_000;

    /// <summary>A text of the credentials without control characters, or a whole number as its digits; null if it is absent or neither.</summary>
    public static string? Text(this ConnectRequest request, string name) =>
        request.Credentials.Id(name)?.Trim() is { Length: > 0 and <= MaxChars } text && !text.Any(char.IsControl) ? text : null;

    /// <summary>The name of the field in an answer about it.</summary>
    public static string Field(string name) => $"credentials.{name}";

    /// <summary>A required text is not there.</summary>
    public static ConnectAnswer Missing(string name) => ConnectAnswer.Refused(Field(name), "is required.");

    /// <summary>Why the platform could not be asked.</summary>
    public static ConnectAnswer Unreached(OutgoingAnswer answer, string field) =>
        ConnectAnswer.Refused(field, answer.Problem ?? $"This does not answer as it should ({answer.Status}).");

    /// <summary>The JSON of what is kept.</summary>
    public static string Keep(params (string Name, string? Value)[] secrets)
    {
        var json = new JsonObject();
        foreach (var (name, value) in secrets)
            if (value is not null) json[name] = value;
        return json.ToJsonString();
    }

    /// <summary>The address under a base, whose own path is kept.</summary>
    public static Uri Under(Uri baseUrl, string path) => new($"{baseUrl.GetLeftPart(UriPartial.Path).TrimEnd('/')}/{path}");
}

using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Tidings.Server.Publishing.Outgoing;

/// <summary>How far a request came.</summary>
internal enum OutgoingEnd
{
    /// <summary>There is an answer, or at least its status.</summary>
    Answered,

    /// <summary>Provably nothing was sent that a server acts on.</summary>
    NotSent,

    /// <summary>It was sent, or a part of it, and there is no answer.</summary>
    Unknown,
}

/// <summary>What came of a request.</summary>
internal sealed class OutgoingAnswer
{
    private const int MaxDepth = 32;
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly ReadOnlyMemory<byte> _body;
    private readonly Dictionary<string, string> _headers;
    private bool _isRead;

    private OutgoingAnswer(OutgoingEnd end, string? problem, int? status, Dictionary<string, string> headers, ReadOnlyMemory<byte> body, bool isWhole) =>
        (End, Problem, Status, _headers, _body, IsWhole) = (end, problem, status, headers, body, isWhole);

    public OutgoingEnd End { get; }

    /// <summary>A sentence without secrets of why there is no answer; null if there is one.</summary>
    public string? Problem { get; }

    /// <summary>The HTTP status; null without an answer.</summary>
    public int? Status { get; }

    /// <summary>Whether all of the body is here.</summary>
    public bool IsWhole { get; }

    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>The body as JSON; undefined if it is none.</summary>
    public JsonElement Json
    {
        get
        {
            if (_isRead || !IsWhole) return field;
            _isRead = true;
            try
            {
                using var document = JsonDocument.Parse(_body, new JsonDocumentOptions { MaxDepth = MaxDepth });
                field = document.RootElement.Clone();
            }
            catch (JsonException)
            {
                // It stays undefined.
            }

            return field;
        }
    }

    /// <summary>The beginning of the body as text.</summary>
    public string Text(int maxChars)
    {
        var text = Encoding.UTF8.GetString(_body.Span[..Math.Min(_body.Length, maxChars * 4)]);
        return text.Length <= maxChars ? text : text[..maxChars];
    }

    /// <summary>A header's first value; null if there is none.</summary>
    public string? Header(string name) => _headers.GetValueOrDefault(name);

    /// <summary>A header's value as a number; null if it is none.</summary>
    public double? Number(string name) => double.TryParse(Header(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    /// <summary><c>Retry-After</c>, seconds or a date, at most a day; null without one.</summary>
    public TimeSpan? RetryAfter(DateTimeOffset now)
    {
        if (!RetryConditionHeaderValue.TryParse(Header("Retry-After"), out var value)) return null;
        return Bounded(value.Delta ?? value.Date - now);
    }

    /// <summary>A time that a platform asked for, from nothing to a day.</summary>
    public static TimeSpan? Bounded(TimeSpan? wait) => wait is { } time ? TimeSpan.FromTicks(Math.Clamp(time.Ticks, 0, LongestWait.Ticks)) : null;

    public static OutgoingAnswer NotSent(string problem) => new(OutgoingEnd.NotSent, problem, null, [], default, false);

    public static OutgoingAnswer Unknown(string problem) => new(OutgoingEnd.Unknown, problem, null, [], default, false);

    public static OutgoingAnswer Of(HttpResponseMessage response, ReadOnlyMemory<byte> body, bool isWhole)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in response.Headers.NonValidated) headers[name] = values.ToString();
        return new(OutgoingEnd.Answered, null, (int)response.StatusCode, headers, body, isWhole);
    }
}

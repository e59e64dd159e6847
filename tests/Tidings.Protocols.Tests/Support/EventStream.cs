using System.Net;
using System.Text;
using System.Text.Json;
using Shouldly;

namespace Tidings.Protocols.Tests.Support;

/// <summary>One event as the standard's parser would dispatch it.</summary>
internal sealed record StreamEvent(string? Type, string Data, string? Id)
{
    public JsonElement Json => JsonDocument.Parse(Data).RootElement;
}

/// <summary>Reads an event stream line by line.</summary>
internal sealed class EventStream : IDisposable
{
    private readonly HttpClient _client;
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private EventStream(HttpClient client, HttpResponseMessage response, Stream stream)
    {
        _client = client;
        _response = response;
        _lines = new StreamReader(stream, Encoding.UTF8);
    }

    public HttpResponseMessage Response => _response;

    /// <summary>The last <c>retry:</c>.</summary>
    public int Retry { get; private set; }

    /// <summary>How many comments came.</summary>
    public int Comments { get; private set; }

    public static async Task<EventStream> OpenAsync(TestServer server, string query, string? lastEventId = null)
    {
        var client = server.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/sse?{query}");
        if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(TestSocket.Deadline);
        return new EventStream(client, response, await response.Content.ReadAsStreamAsync());
    }

    /// <summary>Opens one and reads up to the last <c>subscribed</c>.</summary>
    public static async Task<(EventStream Stream, StreamEvent Last)> SubscribeAsync(TestServer server, string channels, string? lastEventId = null)
    {
        var stream = await OpenAsync(server, $"channels={channels}&token=42", lastEventId);
        stream.Response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await stream.ReadAsync())!.Type.ShouldBe("connected");
        StreamEvent last = null!;
        for (var left = channels.Split(',').Length; left > 0; left--) last = await stream.ReadAsync("subscribed");
        return (stream, last);
    }

    /// <summary>The next event of a type; others before it are passed over.</summary>
    public async Task<StreamEvent> ReadAsync(string type)
    {
        while (true)
        {
            var next = (await ReadAsync()).ShouldNotBeNull($"the stream ended before {type}");
            if (next.Type == type) return next;
        }
    }

    /// <summary>The next event; null at the end of the stream.</summary>
    public async Task<StreamEvent?> ReadAsync()
    {
        string? type = null, id = null;
        var data = new List<string>();
        while (await _lines.ReadLineAsync().WaitAsync(TestSocket.Deadline) is { } line)
        {
            if (line.Length == 0)
            {
                if (data.Count > 0) return new StreamEvent(type, string.Join('\n', data), id);
                (type, id) = (null, null);
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var value = line[(colon + 1)..].TrimStart(' ');
            switch (line[..colon])
            {
                case "": Comments++; break;
                case "event": type = value; break;
                case "data": data.Add(value); break;
                case "id": id = value; break;
                case "retry": Retry = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture); break;
                default: throw new InvalidDataException(line);
            }
        }

        return null;
    }

    public void Dispose()
    {
        _response.Dispose();
        _lines.Dispose();
        _client.Dispose();
    }
}

using System.Net;
using System.Text;
using System.Text.Json;

namespace Tidings.Bench.Network;

/// <summary>Single requests one after the other, to set a run up and to check it afterwards; never what is being measured.</summary>
internal sealed class Api : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly EventLoop _loop;
    private readonly IPEndPoint _server;
    private readonly HttpConnection _connection;
    private bool _isAnswered;
    private int _status;
    private string _body = "";

    internal Api(EventLoop loop, IPEndPoint server)
    {
        _loop = loop;
        _server = server;
        _connection = new HttpConnection(loop, server, (_, status, body) =>
        {
            _status = status;
            _body = Encoding.UTF8.GetString(body);
            _isAnswered = true;
        });
    }

    internal (int Status, string Body) Ask(string method, string path, string? token, string? json = null)
    {
        _isAnswered = false;
        _connection.Send(Request(_server, method, path, token, json), 0);
        if (!_loop.RunUntil(() => _isAnswered, Limit))
            throw new BenchException($"{method} {path} was not answered within {Limit.TotalSeconds} s.");
        return (_status, _body);
    }

    internal JsonElement Expect(int status, string method, string path, string? token, string? json = null)
    {
        var (given, body) = Ask(method, path, token, json);
        if (given != status)
            throw new BenchException($"{method} {path} was answered with {given} instead of {status}: {body[..Math.Min(body.Length, 500)]}");
        return body.Length == 0 ? default : JsonElement.Parse(body);
    }

    /// <summary>Registers one local user the way the page does.</summary>
    internal (string Id, string Token) Register(string nickname)
    {
        var answer = Expect(201, "POST", "/api/auth/register", null, $$"""
            {"nickname":"{{nickname}}","email":"{{nickname}}@example.org","password":"a long bench pass phrase 7"}
            """);
        return (answer.GetProperty("user").GetProperty("id").GetString()!, answer.GetProperty("token").GetString()!);
    }

    internal static byte[] Request(IPEndPoint server, string method, string path, string? token, string? json, string extra = "")
    {
        var head = new StringBuilder($"{method} {path} HTTP/1.1\r\nHost: {server}\r\n").Append(extra);
        if (token is not null)
            head.Append($"Authorization: Bearer {token}\r\n");
        if (json is not null)
            head.Append($"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(json)}\r\n");
        else if (method != "GET")
            head.Append("Content-Length: 0\r\n");
        return Encoding.UTF8.GetBytes(head.Append("\r\n").Append(json).ToString());
    }

    public void Dispose() => _connection.Dispose();
}

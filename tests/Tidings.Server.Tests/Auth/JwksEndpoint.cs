using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Server.Auth.Jwt;

namespace Tidings.Server.Tests.Auth;

/// <summary>A key set's endpoint without a network, which counts what it is asked.</summary>
internal sealed class JwksEndpoint(string body, string url = "https://sign-in.example/keys") : HttpMessageHandler
{
    private readonly List<Uri> _requests = [];

    public string Body { get; set; } = body;

    public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

    /// <summary>Holds answers back until it completes.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public IReadOnlyList<Uri> Requests
    {
        get { lock (_requests) return [.. _requests]; }
    }

    public JwksKeys Keys(TimeProvider clock) => new(new Uri(url), this, clock, NullLogger<JwksKeys>.Instance);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        lock (_requests) _requests.Add(request.RequestUri!);
        await Gate.WaitAsync(cancellationToken);
        return new HttpResponseMessage(Status) { Content = new StringContent(Body) };
    }
}

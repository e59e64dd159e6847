using Microsoft.Extensions.Logging;
using Tidings.Testing.Checks;

namespace Tidings.Server.Tests;

/// <summary>Lets the canary look through what a host of these tests logs.</summary>
internal sealed class WatchedLogs : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        CanaryWatch.Shared.LookThroughLog($"{formatter(state, exception)} {exception}");

    public void Dispose()
    {
        // Nothing is held.
    }
}

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Tidings.Server.Tests;

/// <summary>Keeps every line that is logged, at every level, with its scopes, values and exceptions.</summary>
internal sealed class CapturedLogs : ILoggerProvider, ISupportExternalScope
{
    private readonly ConcurrentQueue<string> _lines = new();
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public IReadOnlyCollection<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    private sealed class Logger(CapturedLogs logs, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => logs._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(' ', pairs.Select(pair => $"{pair.Key}={pair.Value}")) : "";
            var scopes = "";
            logs._scopes.ForEachScope((scope, _) => scopes += $" [{(scope is IEnumerable<KeyValuePair<string, object?>> inner ? string.Join(' ', inner) : scope)}]", 0);
            logs._lines.Enqueue($"{logLevel} {category} {eventId.Id}: {formatter(state, exception)} {values} {scopes} {exception}");
        }
    }
}

namespace Tidings.Testing.Servers;

/// <summary>The server ended before it was ready.</summary>
public sealed class ServerDidNotStartException(int exitCode, string output) : Exception($"The server ended with {exitCode} before it was ready:\n{output}")
{
    public int ExitCode { get; } = exitCode;

    /// <summary>What it said.</summary>
    public string Output { get; } = output;
}

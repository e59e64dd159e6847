namespace Tidings.Server.Host;

/// <summary>The server cannot start like this. Each problem is one sentence that says what to change; there is no stack trace to show.</summary>
internal sealed class StartRefusedException(IReadOnlyList<string> problems) : Exception(string.Join(' ', problems))
{
    public StartRefusedException(string problem) : this([problem])
    {
    }

    public IReadOnlyList<string> Problems => problems;
}

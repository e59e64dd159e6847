namespace Tidings.Bench.Hosting;

/// <summary>How one server is started.</summary>
/// <param name="Command">Program and arguments.</param>
/// <param name="Environment">Added to the generator's own.</param>
/// <param name="ReadyPath">Answers GET with success as soon as connections are served.</param>
internal sealed record Launch(IReadOnlyList<string> Command, IReadOnlyDictionary<string, string> Environment, string ReadyPath)
{
    internal static readonly IReadOnlyDictionary<string, string> NoVariables = new Dictionary<string, string>();
}

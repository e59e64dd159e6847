using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Bench.Hosting;

namespace Tidings.Bench.Results;

/// <summary>JSON lines in <c>bench/results/&lt;verb&gt;.jsonl</c>, which is what runs are compared from; each says when, of which commit and under which load.</summary>
internal static class ResultFile
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static string PathOf(string file) =>
        Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Root, "bench", "results")).FullName, file);

    internal static void Append(string verb, JsonObject content)
    {
        var line = new JsonObject
        {
            ["at"] = TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture),
            ["verb"] = verb,
            ["commit"] = Environment.GetEnvironmentVariable("BENCH_COMMIT"),
            ["cores"] = Machine.Cores,
            ["load"] = File.ReadAllText("/proc/loadavg").Trim(),
        };
        foreach (var (name, value) in content)
            line[name] = value?.DeepClone();
        File.AppendAllText(PathOf($"{verb}.jsonl"), line.ToJsonString(Plain) + "\n");
    }
}

namespace Tidings.Bench.Measurements;

/// <summary>One verb. Its constructor reads the options; a fresh server is running when <see cref="Run"/> is called.</summary>
internal interface IMeasurement
{
    void Run(Rig rig);
}
